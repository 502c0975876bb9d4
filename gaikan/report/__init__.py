"""What a run shows to people: tables, figures, pages."""
