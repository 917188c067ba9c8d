"""`python -m tenant_pipeline` is `tenant-pipeline`."""

from tenant_pipeline.core.garbage import loading_code

with loading_code():
    from tenant_pipeline.cli.main import main

if __name__ == "__main__":
    main()
