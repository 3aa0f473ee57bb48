"""Questions by who asked them: looked at before each question is taken, and for the home tab."""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_questions_asker ON questions ((place ->> 'user'), asked_at)")


def downgrade() -> None:
    op.drop_index('ix_questions_asker', table_name='questions')
