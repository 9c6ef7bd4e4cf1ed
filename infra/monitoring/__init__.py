"""Logs, alarms, dashboard, dead letters."""
