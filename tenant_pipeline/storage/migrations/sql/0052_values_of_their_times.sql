-- The values of each disputed property: what somebody signed or, marked as unsigned, what the rules propose. Of values
-- that held one after the other, one is proposed for each time, and none of them is left out.
CREATE OR REPLACE VIEW runtime.resolved_values WITH (security_invoker = true, security_barrier = true) AS
SELECT conflict.tenant_id, conflict.conflict_id, conflict.canonical_id, conflict.type, conflict.property, conflict.lang,
       said.value, said.source_id, said.statement_id,
       coalesce(signature.decision, 'proposal') AS decision, signature.number IS NOT NULL AS signed,
       signature.person, signature.role, signature.signed_at, conflict.candidates_digest
  FROM runtime.conflicts AS conflict
  LEFT JOIN runtime.conflict_signatures AS signature
    ON signature.tenant_id = conflict.tenant_id AND signature.conflict_id = conflict.conflict_id
   AND signature.number = conflict.signature_number
 CROSS JOIN LATERAL (
       SELECT signature.value, signature.source_id, signature.statement_id
        WHERE signature.decision IN ('candidate', 'human-pin')
       UNION ALL
       SELECT told.value, told.source_id, told.statement_id
         FROM (SELECT DISTINCT ON (one ->> 'value') one ->> 'value' AS value, one ->> 'source_id' AS source_id,
                      one ->> 'statement_id' AS statement_id
                 FROM jsonb_array_elements(conflict.candidates) AS one
                WHERE signature.decision = 'both-right' OR one ? 'proposed'
                ORDER BY one ->> 'value', one ->> 'authority_tier', one ->> 'source_id', one ->> 'statement_id') AS told
        WHERE signature.decision = 'both-right'
           OR signature.number IS NULL AND conflict.candidates @> '[{"proposed": true}]'
       UNION ALL
       SELECT conflict.proposed_value, coalesce(first.source_id, ''), coalesce(first.statement_id, '')
         FROM (SELECT) AS unsigned
         LEFT JOIN LATERAL (
               SELECT one ->> 'source_id' AS source_id, one ->> 'statement_id' AS statement_id
                 FROM jsonb_array_elements(conflict.candidates) AS one
                WHERE one ->> 'value' = conflict.proposed_value
                ORDER BY one ->> 'authority_tier', one ->> 'source_id', one ->> 'statement_id'
                LIMIT 1) AS first ON true
        WHERE signature.number IS NULL AND NOT conflict.candidates @> '[{"proposed": true}]') AS said
 WHERE conflict.status <> 'stale';
