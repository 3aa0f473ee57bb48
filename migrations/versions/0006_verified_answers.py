"""Answers somebody has confirmed; questions that may share an answer."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'verified_answers',
        sa.Column('id', sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column('question_id', sa.BigInteger()),
        sa.Column('question', sa.Text(), nullable=False),
        sa.Column('question_key', sa.Text(), nullable=False),
        sa.Column('model_id', sa.Integer()),
        sa.Column('vector', HALFVEC()),
        sa.Column('answer', sa.Text(), nullable=False),
        sa.Column(
            'citations', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column('n_sources', sa.Integer(), nullable=False),
        sa.Column('author_id', sa.Integer()),
        sa.Column('author_name', sa.Text(), nullable=False),
        sa.Column('verified_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('expired_at', sa.DateTime(timezone=True)),
        sa.Column('expired_because', sa.Text()),
        sa.ForeignKeyConstraint(
            ['question_id'], ['questions.id'], name=op.f('fk_verified_answers_question_id'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['model_id'], ['embedding_models.id'], name=op.f('fk_verified_answers_model_id'), ondelete='SET NULL'
        ),
        sa.ForeignKeyConstraint(
            ['author_id'], ['people.id'], name=op.f('fk_verified_answers_author_id'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_verified_answers')),
    )
    op.create_index(op.f('ix_verified_answers_question_id'), 'verified_answers', ['question_id'])
    op.create_index(op.f('ix_verified_answers_author_id'), 'verified_answers', ['author_id'])
    op.create_index(
        'ix_verified_answers_live', 'verified_answers', ['question_key'],
        postgresql_where=sa.text('expired_at IS NULL'),
    )
    op.create_table(
        'verified_sources',
        sa.Column('verified_id', sa.BigInteger(), nullable=False),
        sa.Column('document_id', sa.BigInteger(), nullable=False),
        sa.Column('content_hash', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ['verified_id'], ['verified_answers.id'], name=op.f('fk_verified_sources_verified_id'),
            ondelete='CASCADE',
        ),
        sa.ForeignKeyConstraint(
            ['document_id'], ['documents.id'], name=op.f('fk_verified_sources_document_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('verified_id', 'document_id', name=op.f('pk_verified_sources')),
    )
    op.create_index(op.f('ix_verified_sources_document_id'), 'verified_sources', ['document_id'])
    op.add_column('questions', sa.Column('reuse_key', sa.Text()))
    op.create_index(
        'ix_questions_reuse_key', 'questions', ['reuse_key', 'answered_at'],
        postgresql_where=sa.text('reuse_key IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_questions_reuse_key', 'questions')
    op.drop_column('questions', 'reuse_key')
    op.drop_table('verified_sources')
    op.drop_table('verified_answers')
