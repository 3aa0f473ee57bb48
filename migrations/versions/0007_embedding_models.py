"""Embedding models that live beside each other, and word statistics that indexers need not wait for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('embedding_models', sa.Column('spec', sa.Text(), server_default='', nullable=False))
    op.add_column('embedding_models', sa.Column('switched_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        'embedding_models',
        sa.Column('measured', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column('corpus_stats', sa.Column('shard', sa.SmallInteger(), server_default='0', nullable=False))
    op.drop_constraint('pk_corpus_stats', 'corpus_stats')
    op.create_primary_key('pk_corpus_stats', 'corpus_stats', ['language', 'shard'])


def downgrade() -> None:
    op.execute("""
        WITH whole AS (
            SELECT language, sum(n_chunks) AS n_chunks, sum(n_terms) AS n_terms FROM corpus_stats GROUP BY language
        ), gone AS (DELETE FROM corpus_stats WHERE shard <> 0)
        INSERT INTO corpus_stats (language, shard, n_chunks, n_terms)
        SELECT language, 0, n_chunks, n_terms FROM whole
        ON CONFLICT (language, shard) DO UPDATE SET n_chunks = excluded.n_chunks, n_terms = excluded.n_terms
    """)
    op.drop_constraint('pk_corpus_stats', 'corpus_stats')
    op.drop_column('corpus_stats', 'shard')
    op.create_primary_key('pk_corpus_stats', 'corpus_stats', ['language'])
    for column in ('measured', 'switched_at', 'spec'):
        op.drop_column('embedding_models', column)
