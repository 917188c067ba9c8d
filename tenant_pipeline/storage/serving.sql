-- What a tenant's instance reads: releases in the tenant's own schema, and which of them is live. A release is whole
-- before the transaction that publishes it moves the pointer, so that nobody ever sees a part of one.
--
-- Readers have the views and not the tables. The views have their owner's rights, who cannot log in; they are of one
-- tenant's schema, and the instance's role has the use of no other.

CREATE TABLE IF NOT EXISTS {schema}.release_documents (
    document_digest       text PRIMARY KEY,
    canonical_id          text NOT NULL,
    type                  text NOT NULL,
    label                 text NOT NULL,
    document              jsonb NOT NULL,
    grams                 text[] NOT NULL
);
CREATE INDEX IF NOT EXISTS release_documents_grams ON {schema}.release_documents USING gin (grams);

CREATE TABLE IF NOT EXISTS {schema}.releases (
    release_digest        text PRIMARY KEY,
    version               text NOT NULL,
    template_version      text NOT NULL,
    entities              bigint NOT NULL,
    published_at          timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS {schema}.release_entities (
    release_digest        text NOT NULL REFERENCES {schema}.releases,
    canonical_id          text NOT NULL,
    document_digest       text NOT NULL REFERENCES {schema}.release_documents,
    PRIMARY KEY (release_digest, canonical_id)
);
CREATE INDEX IF NOT EXISTS release_entities_of_a_document ON {schema}.release_entities (document_digest, release_digest);

CREATE TABLE IF NOT EXISTS {schema}.live_release (
    single                boolean PRIMARY KEY DEFAULT true CHECK (single),
    release_digest        text NOT NULL REFERENCES {schema}.releases,
    switched_at           timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS {schema}.instance_flags (
    flag                  text PRIMARY KEY,
    value                 jsonb NOT NULL,
    changed_at            timestamptz NOT NULL DEFAULT now()
);

CREATE OR REPLACE VIEW {schema}.live AS
SELECT release.release_digest, release.version, release.template_version, release.entities, release.published_at,
       live.switched_at
  FROM {schema}.live_release AS live JOIN {schema}.releases AS release USING (release_digest);

CREATE OR REPLACE VIEW {schema}.live_documents AS
SELECT document.canonical_id, document.type, document.label, document.document, document.grams
  FROM {schema}.release_entities AS entity
  JOIN {schema}.live_release AS live USING (release_digest)
  JOIN {schema}.release_documents AS document USING (document_digest);

CREATE OR REPLACE VIEW {schema}.flags AS SELECT flag, value, changed_at FROM {schema}.instance_flags;
