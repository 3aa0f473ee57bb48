"""The first schema: every table, and the vector extension (left in place on the way down)."""

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('CREATE EXTENSION IF NOT EXISTS vector')
    op.create_table('alerts',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts'))
    )
    op.create_index('uq_alerts_open', 'alerts', ['key'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table('corpus_stats',
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('n_chunks', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('n_terms', sa.BigInteger(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('language', name=op.f('pk_corpus_stats'))
    )
    op.create_table('deliveries',
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('delivery_id', sa.Text(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('provider', 'delivery_id', name=op.f('pk_deliveries'))
    )
    op.create_index(op.f('ix_deliveries_received_at'), 'deliveries', ['received_at'], unique=False)
    op.create_table('embedding_models',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('revision', sa.Text(), server_default='', nullable=False),
    sa.Column('dim', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), server_default='building', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_embedding_models')),
    sa.UniqueConstraint('name', 'revision', name=op.f('uq_embedding_models_name_revision'))
    )
    op.create_index('uq_embedding_models_serving', 'embedding_models', ['state'], unique=True, postgresql_where=sa.text("state = 'serving'"))
    op.create_table('jobs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('queue', sa.Text(), nullable=False),
    sa.Column('args', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('state', sa.Text(), server_default='queued', nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('max_attempts', sa.Integer(), server_default='8', nullable=False),
    sa.Column('run_after', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('rung_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('claim', sa.Text(), nullable=True),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('heartbeat_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_due_again', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('is_cancel_asked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('checkpoint', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('progress', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('outcome', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name=op.f('ck_jobs_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs'))
    )
    op.create_index('ix_jobs_active_run_after', 'jobs', ['run_after'], unique=False, postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_index('ix_jobs_created_at', 'jobs', ['created_at'], unique=False)
    op.create_index('uq_jobs_active', 'jobs', ['kind', 'key'], unique=True, postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_table('people',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('is_admin', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people')),
    sa.UniqueConstraint('email', name=op.f('uq_people_email'))
    )
    op.create_table('sources',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('cursor', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('state', sa.Text(), server_default='new', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('full_synced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sources')),
    sa.UniqueConstraint('name', name=op.f('uq_sources_name'))
    )
    op.create_table('api_tokens',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_api_tokens_person_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_tokens')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_tokens_token_hash'))
    )
    op.create_index(op.f('ix_api_tokens_person_id'), 'api_tokens', ['person_id'], unique=False)
    op.create_table('documents',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('space_key', sa.Text(), nullable=True),
    sa.Column('parent_id', sa.Text(), nullable=True),
    sa.Column('ancestors', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('ancestor_titles', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('labels', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('author', sa.Text(), nullable=True),
    sa.Column('editor', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), server_default='english', nullable=False),
    sa.Column('markdown', sa.Text(), server_default='', nullable=False),
    sa.Column('version', sa.Integer(), server_default='0', nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=True),
    sa.Column('indexed_hash', sa.Text(), nullable=True),
    sa.Column('gate_ids', sa.ARRAY(sa.Integer()), nullable=True),
    sa.Column('status', sa.Text(), server_default='current', nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('gate_ids IS NULL OR cardinality(gate_ids) > 0', name=op.f('ck_documents_gates_not_empty')),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_documents_source_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_documents')),
    sa.UniqueConstraint('source_id', 'external_id', name=op.f('uq_documents_source_id_external_id'))
    )
    op.create_index('ix_documents_gate_ids', 'documents', ['gate_ids'], unique=False, postgresql_using='gin')
    op.create_index('ix_documents_space_key', 'documents', ['source_id', 'space_key'], unique=False)
    op.create_index('ix_documents_unindexed', 'documents', ['id'], unique=False, postgresql_where=sa.text('indexed_hash IS DISTINCT FROM content_hash'))
    op.create_table('gates',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('door', sa.Text(), nullable=False),
    sa.Column('principals', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('refreshed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_gates_source_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gates')),
    sa.UniqueConstraint('source_id', 'door', name=op.f('uq_gates_source_id_door'))
    )
    op.create_index('ix_gates_principals', 'gates', ['principals'], unique=False, postgresql_using='gin')
    op.create_index(op.f('ix_gates_source_id'), 'gates', ['source_id'], unique=False)
    op.create_table('identities',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('linked_by', sa.Text(), nullable=True),
    sa.Column('is_external', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('refreshed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_identities_person_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identities')),
    sa.UniqueConstraint('provider', 'external_id', name=op.f('uq_identities_provider_external_id'))
    )
    op.create_index(op.f('ix_identities_email'), 'identities', ['email'], unique=False)
    op.create_index(op.f('ix_identities_person_id'), 'identities', ['person_id'], unique=False)
    op.create_table('questions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('place', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('citations', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.Column('engine', sa.Text(), nullable=True),
    sa.Column('timings_s', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('trace', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('feedback', sa.Text(), nullable=True),
    sa.Column('feedback_reason', sa.Text(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_questions_person_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questions'))
    )
    op.create_index(op.f('ix_questions_asked_at'), 'questions', ['asked_at'], unique=False)
    op.create_index(op.f('ix_questions_person_id'), 'questions', ['person_id'], unique=False)
    op.create_table('chunks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('document_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('context', sa.Text(), server_default='', nullable=False),
    sa.Column('heading_path', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('anchor', sa.Text(), nullable=True),
    sa.Column('speakers', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('start_s', sa.Double(), nullable=True),
    sa.Column('end_s', sa.Double(), nullable=True),
    sa.Column('first_position', sa.Integer(), nullable=True),
    sa.Column('last_position', sa.Integer(), nullable=True),
    sa.Column('n_tokens', sa.Integer(), nullable=False),
    sa.Column('n_terms', sa.Integer(), server_default='0', nullable=False),
    sa.Column('language', sa.Text(), server_default='english', nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['documents.id'], name=op.f('fk_chunks_document_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chunks')),
    sa.UniqueConstraint('document_id', 'content_hash', 'position', name=op.f('uq_chunks_document_id_content_hash_position'))
    )
    op.create_table('memberships',
    sa.Column('identity_id', sa.Integer(), nullable=False),
    sa.Column('group_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['identity_id'], ['identities.id'], name=op.f('fk_memberships_identity_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('identity_id', 'group_name', name=op.f('pk_memberships'))
    )
    op.create_index(op.f('ix_memberships_group_name'), 'memberships', ['group_name'], unique=False)
    op.create_table('recordings',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('blob_url', sa.Text(), nullable=False),
    sa.Column('transcript_url', sa.Text(), nullable=True),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('duration_s', sa.Double(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('participants', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('engine', sa.Text(), nullable=True),
    sa.Column('warnings', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('state', sa.Text(), server_default='received', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('document_id', sa.BigInteger(), nullable=True),
    sa.Column('submitted_by', sa.Integer(), nullable=True),
    sa.Column('gate_ids', sa.ARRAY(sa.Integer()), nullable=True),
    sa.Column('origin', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['document_id'], ['documents.id'], name=op.f('fk_recordings_document_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_recordings_source_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['submitted_by'], ['people.id'], name=op.f('fk_recordings_submitted_by'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recordings')),
    sa.UniqueConstraint('sha256', name=op.f('uq_recordings_sha256'))
    )
    op.create_index(op.f('ix_recordings_source_id'), 'recordings', ['source_id'], unique=False)
    op.create_table('embeddings',
    sa.Column('model_id', sa.Integer(), nullable=False),
    sa.Column('chunk_id', sa.BigInteger(), nullable=False),
    sa.Column('vector', pgvector.sqlalchemy.halfvec.HALFVEC(), nullable=False),
    sa.ForeignKeyConstraint(['chunk_id'], ['chunks.id'], name=op.f('fk_embeddings_chunk_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['model_id'], ['embedding_models.id'], name=op.f('fk_embeddings_model_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('model_id', 'chunk_id', name=op.f('pk_embeddings'))
    )
    op.create_index(op.f('ix_embeddings_chunk_id'), 'embeddings', ['chunk_id'], unique=False)
    op.create_table('minutes',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), server_default='draft', nullable=False),
    sa.Column('lines', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('engine', sa.Text(), nullable=False),
    sa.Column('warnings', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('reviewed_by', sa.Integer(), nullable=True),
    sa.Column('page_id', sa.Text(), nullable=True),
    sa.Column('page_version', sa.Integer(), nullable=True),
    sa.Column('page_url', sa.Text(), nullable=True),
    sa.Column('published_storage', sa.Text(), nullable=True),
    sa.Column('announced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_minutes_recording_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['reviewed_by'], ['people.id'], name=op.f('fk_minutes_reviewed_by'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_minutes')),
    sa.UniqueConstraint('recording_id', 'version', name=op.f('uq_minutes_recording_id_version'))
    )
    op.create_table('postings',
    sa.Column('lexeme', sa.Text(collation='C'), nullable=False),
    sa.Column('chunk_id', sa.BigInteger(), nullable=False),
    sa.Column('tf', sa.SmallInteger(), nullable=False),
    sa.Column('n_terms', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['chunk_id'], ['chunks.id'], name=op.f('fk_postings_chunk_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('lexeme', 'chunk_id', name=op.f('pk_postings'))
    )
    op.create_index(op.f('ix_postings_chunk_id'), 'postings', ['chunk_id'], unique=False)
    op.create_table('segments',
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('start_s', sa.Double(), nullable=False),
    sa.Column('end_s', sa.Double(), nullable=False),
    sa.Column('speaker', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_segments_recording_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('recording_id', 'position', name=op.f('pk_segments'))
    )


def downgrade() -> None:
    op.drop_table('segments')
    op.drop_index(op.f('ix_postings_chunk_id'), table_name='postings')
    op.drop_table('postings')
    op.drop_table('minutes')
    op.drop_index(op.f('ix_embeddings_chunk_id'), table_name='embeddings')
    op.drop_table('embeddings')
    op.drop_index(op.f('ix_recordings_source_id'), table_name='recordings')
    op.drop_table('recordings')
    op.drop_index(op.f('ix_memberships_group_name'), table_name='memberships')
    op.drop_table('memberships')
    op.drop_table('chunks')
    op.drop_index(op.f('ix_questions_person_id'), table_name='questions')
    op.drop_index(op.f('ix_questions_asked_at'), table_name='questions')
    op.drop_table('questions')
    op.drop_index(op.f('ix_identities_person_id'), table_name='identities')
    op.drop_index(op.f('ix_identities_email'), table_name='identities')
    op.drop_table('identities')
    op.drop_index(op.f('ix_gates_source_id'), table_name='gates')
    op.drop_index('ix_gates_principals', table_name='gates', postgresql_using='gin')
    op.drop_table('gates')
    op.drop_index('ix_documents_unindexed', table_name='documents', postgresql_where=sa.text('indexed_hash IS DISTINCT FROM content_hash'))
    op.drop_index('ix_documents_space_key', table_name='documents')
    op.drop_index('ix_documents_gate_ids', table_name='documents', postgresql_using='gin')
    op.drop_table('documents')
    op.drop_index(op.f('ix_api_tokens_person_id'), table_name='api_tokens')
    op.drop_table('api_tokens')
    op.drop_table('sources')
    op.drop_table('people')
    op.drop_index('uq_jobs_active', table_name='jobs', postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.drop_index('ix_jobs_created_at', table_name='jobs')
    op.drop_index('ix_jobs_active_run_after', table_name='jobs', postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.drop_table('jobs')
    op.drop_index('uq_embedding_models_serving', table_name='embedding_models', postgresql_where=sa.text("state = 'serving'"))
    op.drop_table('embedding_models')
    op.drop_index(op.f('ix_deliveries_received_at'), table_name='deliveries')
    op.drop_table('deliveries')
    op.drop_table('corpus_stats')
    op.drop_index('uq_alerts_open', table_name='alerts', postgresql_where=sa.text('closed_at IS NULL'))
    op.drop_table('alerts')
