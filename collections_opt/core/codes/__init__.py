"""Coded facts as closed vocabularies: ISO 3166 countries and subdivisions, ISO 4217 currencies, IANA time zones."""
