"""Who edited a version of minutes, until when it is to be reviewed, and when somebody was reminded of it."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('minutes', sa.Column('edited_by', sa.Integer(), nullable=True))
    op.add_column('minutes', sa.Column('review_due_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('minutes', sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        'fk_minutes_edited_by', 'minutes', 'people', ['edited_by'], ['id'], ondelete='SET NULL'
    )


def downgrade() -> None:
    op.drop_constraint('fk_minutes_edited_by', 'minutes', type_='foreignkey')
    op.drop_column('minutes', 'reminded_at')
    op.drop_column('minutes', 'review_due_at')
    op.drop_column('minutes', 'edited_by')
