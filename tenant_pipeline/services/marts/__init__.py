"""The governance marts: where their dbt project is, what is measured for them, how they are built, read and drawn."""
