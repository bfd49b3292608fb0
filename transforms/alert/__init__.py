"""Events to alerts: the ledger of ceasefires, inferred violations, policy and revisions."""
