"""A word's passages in the order of what the word counts in them, so that very common words can be cut short."""

from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE postings ADD COLUMN impact smallint NOT NULL GENERATED ALWAYS AS (
            round(10000 * tf::float8 / (tf + 1.2 * (0.25 + 0.75 * n_terms / 200.0)))::smallint) STORED
    """)
    op.drop_constraint('pk_postings', 'postings')
    op.drop_index('ix_postings_chunk_id', 'postings')
    op.execute('ALTER TABLE postings ADD CONSTRAINT pk_postings PRIMARY KEY (chunk_id, lexeme) INCLUDE (tf, n_terms)')
    op.execute(
        'CREATE INDEX ix_postings_lexeme_impact ON postings (lexeme, impact DESC, chunk_id) INCLUDE (tf, n_terms)'
    )
    op.execute('ALTER TABLE postings ALTER COLUMN lexeme SET STATISTICS 1000')


def downgrade() -> None:
    op.execute('ALTER TABLE postings ALTER COLUMN lexeme SET STATISTICS -1')
    op.drop_index('ix_postings_lexeme_impact', 'postings')
    op.drop_constraint('pk_postings', 'postings')
    op.execute('ALTER TABLE postings ADD CONSTRAINT pk_postings PRIMARY KEY (lexeme, chunk_id)')
    op.create_index('ix_postings_chunk_id', 'postings', ['chunk_id'])
    op.drop_column('postings', 'impact')
