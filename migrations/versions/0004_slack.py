"""Slack workspaces that installed the bot, how channels want to be answered, and what admins did."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

EMPTY = sa.text("'{}'")
NOW = sa.text('now()')


def upgrade() -> None:
    op.create_table(
        'slack_bots',
        *_installed(),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_bots')),
    )
    op.create_index(
        'slack_bots_idx', 'slack_bots', ['client_id', 'enterprise_id', 'team_id', 'installed_at']
    )
    op.create_table(
        'slack_installations',
        *_installed(),
        sa.Column('enterprise_url', sa.Text(), nullable=True),
        sa.Column('user_id', sa.Text(), nullable=False),
        sa.Column('user_token', sa.Text(), nullable=True),
        sa.Column('user_scopes', sa.Text(), nullable=True),
        sa.Column('user_refresh_token', sa.Text(), nullable=True),
        sa.Column('user_token_expires_at', sa.DateTime(), nullable=True),
        sa.Column('incoming_webhook_url', sa.Text(), nullable=True),
        sa.Column('incoming_webhook_channel', sa.Text(), nullable=True),
        sa.Column('incoming_webhook_channel_id', sa.Text(), nullable=True),
        sa.Column('incoming_webhook_configuration_url', sa.Text(), nullable=True),
        sa.Column('token_type', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_installations')),
    )
    op.create_index(
        'slack_installations_idx', 'slack_installations',
        ['client_id', 'enterprise_id', 'team_id', 'user_id', 'installed_at'],
    )  # fmt: skip
    op.create_table(
        'slack_oauth_states',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('expire_at', sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_oauth_states')),
    )
    op.create_table(
        'slack_channels',
        sa.Column('team', sa.Text(), nullable=False),
        sa.Column('channel', sa.Text(), nullable=False),
        sa.Column('spaces', sa.ARRAY(sa.Text()), server_default=EMPTY, nullable=False),
        sa.Column('source_ids', sa.ARRAY(sa.Integer()), server_default=EMPTY, nullable=False),
        sa.Column('askers', sa.ARRAY(sa.Text()), server_default=EMPTY, nullable=False),
        sa.Column('reply', sa.Text(), server_default='thread', nullable=False),
        sa.Column('is_questions_only', sa.Boolean(), server_default=sa.text('false'), nullable=False),
        sa.Column('auto_minutes', sa.Text(), server_default='offer', nullable=False),
        sa.Column('quiet_from', sa.Text(), nullable=True),
        sa.Column('quiet_until', sa.Text(), nullable=True),
        sa.Column('timezone', sa.Text(), server_default='UTC', nullable=False),
        sa.Column('experts', sa.ARRAY(sa.Text()), server_default=EMPTY, nullable=False),
        sa.Column('updated_by', sa.Integer(), nullable=True),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ['updated_by'], ['people.id'], name=op.f('fk_slack_channels_updated_by'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('team', 'channel', name=op.f('pk_slack_channels')),
    )
    op.create_table(
        'audit',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=True),
        sa.Column('action', sa.Text(), nullable=False),
        sa.Column('target', sa.Text(), nullable=True),
        sa.Column('is_allowed', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), server_default=EMPTY, nullable=False),
        sa.ForeignKeyConstraint(
            ['person_id'], ['people.id'], name=op.f('fk_audit_person_id'), ondelete='SET NULL'
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    )
    op.create_index(op.f('ix_audit_at'), 'audit', ['at'])


def downgrade() -> None:
    for table in ('audit', 'slack_channels', 'slack_oauth_states', 'slack_installations', 'slack_bots'):
        op.drop_table(table)


def _installed() -> list[sa.Column]:
    return [
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('client_id', sa.Text(), nullable=False),
        sa.Column('app_id', sa.Text(), nullable=False),
        sa.Column('enterprise_id', sa.Text(), nullable=True),
        sa.Column('enterprise_name', sa.Text(), nullable=True),
        sa.Column('team_id', sa.Text(), nullable=True),
        sa.Column('team_name', sa.Text(), nullable=True),
        sa.Column('bot_token', sa.Text(), nullable=True),
        sa.Column('bot_id', sa.Text(), nullable=True),
        sa.Column('bot_user_id', sa.Text(), nullable=True),
        sa.Column('bot_scopes', sa.Text(), nullable=True),
        sa.Column('bot_refresh_token', sa.Text(), nullable=True),
        sa.Column('bot_token_expires_at', sa.DateTime(), nullable=True),
        sa.Column('is_enterprise_install', sa.Boolean(), nullable=False),
        sa.Column('installed_at', sa.DateTime(), nullable=False),
    ]
