"""Decision → result: the referrals, tasks and flags of one person as a FHIR Bundle, and for people to read."""
