-- The registry: tenants, who may do what in them, and what they handed in.

CREATE TABLE runtime.tenants (
    id                    text PRIMARY KEY CHECK (id ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
    name                  jsonb NOT NULL CHECK (name ?& ARRAY['th', 'en', 'zh']),
    domain                text NOT NULL,
    tier                  text NOT NULL,
    status                text NOT NULL CHECK (status IN ('draft', 'review', 'pilot', 'live', 'suspended', 'archived')),
    db_schema_name        text NOT NULL UNIQUE,
    k8s_namespace         text NOT NULL UNIQUE,
    template_version      text NOT NULL,
    pdpa_agreement_ref    text,
    founder_signoff_ref   text,
    created_at            timestamptz NOT NULL DEFAULT now(),
    go_live_at            timestamptz
);

-- Which tenant a login belongs to. Everything about isolation rests on this table; only app.admit_tenant writes it.
CREATE TABLE runtime.tenant_logins (
    role_name             text PRIMARY KEY,
    tenant_id             text NOT NULL UNIQUE
);

CREATE TABLE runtime.tenant_user_roles (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    person                text NOT NULL,
    role                  text NOT NULL,
    granted_by            text NOT NULL,
    granted_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, person, role)
);

CREATE TABLE runtime.tenant_sources (
    tenant_id             text NOT NULL REFERENCES runtime.tenants (id),
    id                    text NOT NULL CHECK (id ~ '^src-[0-9a-f]{16}$'),
    origin                text NOT NULL CHECK (origin IN (
                              'founder', 'canonical', 'concept', 'system', 'legacy-wiki', 'partner-doc', 'regulator',
                              'press', 'chatgpt', 'claude', 'gemini', 'perplexity', 'mixed')),
    unit_mode             text NOT NULL CHECK (unit_mode IN ('single-file', 'folder', 'link', 'ai-bundle')),
    title                 text NOT NULL,
    filename              text NOT NULL DEFAULT '',
    url                   text NOT NULL DEFAULT '',
    unit_digest           text NOT NULL CHECK (unit_digest ~ '^[0-9a-f]{64}$'),
    rights                text NOT NULL DEFAULT '',
    ingest_stage          text NOT NULL DEFAULT '',
    ingest_status         text NOT NULL CHECK (ingest_status IN (
                              'received', 'waiting', 'running', 'stopped', 'assembled')),
    coverage_score        numeric,
    conflicts_count       integer NOT NULL DEFAULT 0,
    authority_rank        smallint NOT NULL CHECK (authority_rank BETWEEN 1 AND 5),
    observed_at           timestamptz,
    received_at           timestamptz NOT NULL DEFAULT now(),
    queued_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    assembled_at          timestamptz,
    received_by           text NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX tenant_sources_in_line ON runtime.tenant_sources (received_at, tenant_id, id)
    WHERE ingest_status IN ('received', 'waiting');

CREATE TABLE runtime.tenant_workspaces (
    tenant_id             text PRIMARY KEY REFERENCES runtime.tenants (id),
    panel_state           jsonb NOT NULL DEFAULT '{}',
    crdt_doc              bytea
);

CREATE TABLE runtime.marketplace_listings (
    tenant_id             text PRIMARY KEY REFERENCES runtime.tenants (id),
    visibility            text NOT NULL CHECK (visibility IN ('private', 'partners', 'public')),
    share_scope           text NOT NULL,
    resell_flag           boolean NOT NULL DEFAULT false
);
