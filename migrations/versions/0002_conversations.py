"""Threads in which we answered, and which accounts are bots."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'identities', sa.Column('is_bot', sa.Boolean(), server_default=sa.text('false'), nullable=False)
    )
    op.create_table(
        'conversations',
        sa.Column('provider', sa.Text(), nullable=False),
        sa.Column('channel', sa.Text(), nullable=False),
        sa.Column('thread', sa.Text(), nullable=False),
        sa.Column('question_id', sa.BigInteger(), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.ForeignKeyConstraint(
            ['question_id'], ['questions.id'], name=op.f('fk_conversations_question_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('provider', 'channel', 'thread', name=op.f('pk_conversations')),
    )
    op.create_index(op.f('ix_conversations_question_id'), 'conversations', ['question_id'])


def downgrade() -> None:
    op.drop_table('conversations')
    op.drop_column('identities', 'is_bot')
