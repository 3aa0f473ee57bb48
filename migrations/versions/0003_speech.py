"""Corrected words, a glossary, voices, further files of a meeting, and uploads in pieces."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False)


def upgrade() -> None:
    op.add_column('recordings', sa.Column('meeting_key', sa.Text(), nullable=True))
    op.create_index(op.f('ix_recordings_meeting_key'), 'recordings', ['meeting_key'])
    op.add_column(
        'segments', sa.Column('words', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column('segments', sa.Column('heard', sa.Text(), nullable=True))
    op.create_table(
        'glossary',
        sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column('term', sa.Text(), nullable=False),
        sa.Column('heard_as', sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column('origin', sa.Text(), server_default='manual', nullable=False),
        sa.Column('added_by', sa.Integer(), nullable=True),
        _moment('created_at'),
        _moment('updated_at'),
        sa.ForeignKeyConstraint(['added_by'], ['people.id'], name=op.f('fk_glossary_added_by'), ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_glossary')),
    )
    op.create_index('uq_glossary_lower_term', 'glossary', [sa.literal_column('lower(term)')], unique=True)
    op.create_table(
        'voices',
        sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('engine', sa.Text(), nullable=False),
        sa.Column('vector', sa.ARRAY(sa.Double()), nullable=False),
        sa.Column('spoken_s', sa.Double(), nullable=False),
        sa.Column('consented_at', sa.DateTime(timezone=True), nullable=False),
        _moment('updated_at'),
        sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_voices_person_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_voices')),
        sa.UniqueConstraint('person_id', 'engine', name=op.f('uq_voices_person_id_engine')),
    )
    op.create_table(
        'recording_files',
        sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column('recording_id', sa.Integer(), nullable=False),
        sa.Column('role', sa.Text(), nullable=False),
        sa.Column('sha256', sa.Text(), nullable=False),
        sa.Column('blob_url', sa.Text(), nullable=False),
        sa.Column('file_name', sa.Text(), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('speaker', sa.Text(), nullable=True),
        sa.Column('offset_s', sa.Double(), nullable=False),
        sa.Column('transcript_url', sa.Text(), nullable=True),
        sa.Column('transcript_name', sa.Text(), nullable=True),
        _moment('created_at'),
        sa.ForeignKeyConstraint(
            ['recording_id'], ['recordings.id'], name=op.f('fk_recording_files_recording_id'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_files')),
        sa.UniqueConstraint('recording_id', 'sha256', name=op.f('uq_recording_files_recording_id_sha256')),
    )
    op.create_index(op.f('ix_recording_files_sha256'), 'recording_files', ['sha256'])
    op.create_table(
        'uploads',
        sa.Column('id', sa.Text(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('received_bytes', sa.BigInteger(), server_default='0', nullable=False),
        sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column('parts', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
        sa.Column('state', sa.Text(), server_default='open', nullable=False),
        sa.Column('error', sa.Text(), nullable=True),
        sa.Column('recording_id', sa.Integer(), nullable=True),
        _moment('created_at'),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_uploads_person_id'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(
            ['recording_id'], ['recordings.id'], name=op.f('fk_uploads_recording_id'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_uploads')),
    )
    op.create_index(op.f('ix_uploads_person_id'), 'uploads', ['person_id'])
    op.create_index(op.f('ix_uploads_expires_at'), 'uploads', ['expires_at'])


def downgrade() -> None:
    for table in ('uploads', 'recording_files', 'voices', 'glossary'):
        op.drop_table(table)
    op.drop_column('segments', 'heard')
    op.drop_column('segments', 'words')
    op.drop_column('recordings', 'meeting_key')
