-- Which sources are on their way is asked every few seconds, of all tenants: it costs what is on its way, not what there is.

CREATE INDEX tenant_sources_on_their_way ON runtime.tenant_sources (tenant_id, id) WHERE ingest_status = 'running';
