"""Follow-up completeness: which questionnaires were expected and which came (CONSORT-PRO)."""
