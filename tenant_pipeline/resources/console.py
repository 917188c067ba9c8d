"""The console of a run: what is logged in it, as JSON lines on the process's standard error."""

import logging
import sys

import dagster as dg

from tenant_pipeline.telemetry.logs import JsonLines


@dg.logger({"log_level": dg.Field(str, default_value="INFO")}, description="JSON lines on standard error.")
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """A logger of its own, so that a run's level is nobody else's."""
    logger = logging.Logger("dagster", context.logger_config["log_level"])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines("dagster"))
    logger.addHandler(handler)
    return logger


TO_CONSOLE = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}
"""The run configuration by which a run logs there: without it Dagster takes a console of its own."""
