"""What is needed to let media expire and to erase a meeting: when its sound went, what it taught, what was erased."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recordings', sa.Column('media_expired_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        'glossary', sa.Column('learned', postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column(
        'minutes', sa.Column('announcement', postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_table(
        'erased_files',
        sa.Column('sha256', sa.Text(), nullable=False),
        sa.Column('erased_at', sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint('sha256', name=op.f('pk_erased_files')),
    )


def downgrade() -> None:
    op.drop_table('erased_files')
    op.drop_column('minutes', 'announcement')
    op.drop_column('glossary', 'learned')
    op.drop_column('recordings', 'media_expired_at')
