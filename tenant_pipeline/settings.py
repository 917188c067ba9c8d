"""Every setting in one typed place, read once at the edge and passed down.

Each is an environment variable with the prefix `TENANT_RUNTIME_` (`TENANT_RUNTIME_HOME`, …).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """How this installation is set up.

    `home` holds all that the runtime keeps: the embedded database, keys, objects, checkpoints and Dagster's own
    files. `database_dsn` names a PostgreSQL of your own; without it the embedded one is used. Its role must be able
    to create roles and schemas.
    """

    model_config = SettingsConfigDict(env_prefix="TENANT_RUNTIME_", extra="forbid")

    home: Path = Field(default_factory=lambda: Path.cwd() / ".tenant-runtime")
    keys: Path | None = None
    """The folder of the keys where it is not the home's own: a volume of theirs, with backups of theirs."""

    database_dsn: SecretStr | None = None
    dagster_dsn: SecretStr | None = None
    webserver_port: int = 3000
    workspace_port: int = 8000
    public_url: str = ""
    """The address under which people reach the workspace (https://city.example); loopback's own if empty."""

    dagster_url: str = ""
    """The address under which people reach the Dagster UI; loopback's own if empty."""

    token_key: int = Field(default=1, ge=1)
    """The number of the key that the local issuer signs with; counting it up rotates the key."""

    oidc_issuer: str = ""
    """An OpenID provider whose tokens are accepted, in place of the local issuer's."""

    oidc_audience: str = "tenant-runtime"
    oidc_tenant_claim: str = "tenant_id"
    oidc_person_claim: str = "sub"
    oidc_client_id: str = ""
    """What the provider calls this installation. With it people sign in to the workspace at the provider's own page."""

    oidc_client_secret: SecretStr | None = None
    """The secret of that client, if it has one; PKCE protects the sign-in either way."""

    oidc_scope: str = "openid"
    """What is asked of the provider, so that its ID token names the person and the tenant."""

    requests_per_minute: int = Field(default=1200, ge=1)
    """How many requests one person may make in a minute, in each server process."""

    object_store_url: str = ""
    """Where objects and audit checkpoints are kept: `s3://bucket/prefix`, with endpoint and credentials in the usual
    AWS_ variables, or `file:///folder`; the folder of `home` if empty."""

    object_store_retry_seconds: float = Field(default=60.0, gt=0, le=280)
    """So long a request that the object store fails is tried again."""

    object_store_request_seconds: float = Field(default=60.0, gt=0, le=280)
    """A request to the object store that has no answer after so long has failed."""

    metrics_token: SecretStr | None = None
    """The bearer token that a monitoring system shows for `/metrics`; without one there is no `/metrics`."""

    metrics_by_tenant: bool = False
    """Whether what waits is told for each tenant too: two more time series a tenant that has something in line."""

    sources_per_run: int = Field(default=100, ge=1, le=1000)
    """How many sources one Dagster run takes on at most."""

    processes: int = Field(default=0, ge=0)
    """How many processes a stage may use for one large source; as many as there are processors if 0."""

    longest_run_seconds: int = Field(default=12 * 3600, ge=10)
    """A Dagster run that takes longer is ended; what it had in hand is put in line again."""

    silent_run_seconds: int = Field(default=2 * 3600, ge=10)
    """A Dagster run that tells no event and keeps no record for so long is ended likewise. It has to be longer than one
    stage of the largest source."""

    pentest_valid_days: int = Field(default=90, ge=1, le=3650)
    """How old the penetration test may be on which a tenant goes to pilot or live."""

    keep_runs_days: int = Field(default=90, ge=7)
    """How long Dagster keeps what it knows of runs that say nothing of what stands now."""

    contracts: Path | None = None
    """A folder with all eight contracts, where they are others than those of the package."""

    pii_configuration: Path | None = None
    """A YAML file with an operator's own language models and recognisers for personal data."""

    kubernetes_configuration: Path | None = None
    """A YAML file with the cluster that instances run in; without it they are processes of this machine."""

    price_table: Path | None = None
    """A JSON file with the prices of this installation; an example is shipped."""

    dbt_project: Path | None = None
    """The folder of the dbt project; without it the one beside or inside this package."""

    marts_cron: str = "0 5 * * *"
    """When the governance marts are built, as a cron expression in Bangkok's time."""

    loopback_links: bool = False
    """Whether links and feeds may lead to this machine itself, at any port: for trials only."""

    clamav: str = ""
    """A ClamAV daemon (tcp://host:port or unix:///path) that every file must pass; none if empty."""

    @property
    def postgres_directory(self) -> Path:
        return self.home / "postgres"

    @property
    def keys_directory(self) -> Path:
        return self.keys or self.home / "keys"

    @property
    def objects_directory(self) -> Path:
        return self.home / "objects"

    @property
    def staging_directory(self) -> Path:
        """Where files for a bucket are made, and uploads wait for their end."""
        return self.home / "staging"

    @property
    def instances_directory(self) -> Path:
        return self.home / "instances"

    @property
    def credentials_directory(self) -> Path:
        return self.home / "credentials"

    @property
    def restoring_file(self) -> Path:
        """There from when a restore begins to write until it has ended: its snapshot's id, whose it is if one's, and
        whether nothing of that tenant was here before."""
        return self.home / "restoring"

    @property
    def checkpoints_file(self) -> Path:
        """The signed audit checkpoints: outside the database on purpose. Copy it to write-once storage."""
        return self.home / "audit" / "checkpoints.jsonl"

    @property
    def dbt_directory(self) -> Path:
        """What dbt leaves of a build: compiled SQL and logs, no rows."""
        return self.home / "dbt"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"
