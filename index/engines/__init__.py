"""The search engines, and what each must do: see contract."""
