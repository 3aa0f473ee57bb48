"""Action items as their pages have them, and which pages' text stands in a document."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'action_items',
        sa.Column('id', sa.Integer(), sa.Identity(), nullable=False),
        sa.Column('recording_id', sa.Integer(), nullable=False),
        sa.Column('line_id', sa.Text(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('owner', sa.Text()),
        sa.Column('account_id', sa.Text()),
        sa.Column('due', sa.Date()),
        sa.Column('is_done', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('done_at', sa.DateTime(timezone=True)),
        sa.Column('page_id', sa.Text(), nullable=False),
        sa.Column('page_url', sa.Text(), nullable=False),
        sa.Column('page_version', sa.Integer(), nullable=False),
        sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(
            ['recording_id'], ['recordings.id'], name=op.f('fk_action_items_recording_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_action_items')),
        sa.UniqueConstraint('recording_id', 'line_id', name=op.f('uq_action_items_recording_id_line_id')),
    )
    op.create_index(op.f('ix_action_items_account_id'), 'action_items', ['account_id'])
    op.create_index(op.f('ix_action_items_page_id'), 'action_items', ['page_id'])
    op.add_column(
        'documents', sa.Column('included', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_index(
        'ix_documents_included', 'documents', ['included'], postgresql_using='gin',
        postgresql_where=sa.text("included <> '{}'"),
    )


def downgrade() -> None:
    op.drop_index('ix_documents_included', 'documents')
    op.drop_column('documents', 'included')
    op.drop_table('action_items')
