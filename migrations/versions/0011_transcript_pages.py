"""The transcript's own page under the minutes, and what was rendered as it."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('minutes', sa.Column('transcript_page_id', sa.Text()))
    op.add_column('minutes', sa.Column('transcript_storage', sa.Text()))


def downgrade() -> None:
    op.drop_column('minutes', 'transcript_storage')
    op.drop_column('minutes', 'transcript_page_id')
