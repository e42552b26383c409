"""How the bundled models were made; the product imports nothing from here."""
