"""Create messages

- new table messages
"""

import sqlalchemy as sa
from alembic import op

revision = "20261121_000000"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author", sa.String(length=24), nullable=False),
        sa.Column("text", sa.String(length=280), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )


def downgrade() -> None:
    op.drop_table("messages")
