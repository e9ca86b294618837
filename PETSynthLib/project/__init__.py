"""Surface projection of a PET onto the template's brain surface (a later issue)."""
