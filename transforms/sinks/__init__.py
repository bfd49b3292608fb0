"""Alerts to subscribers: encoders and deliverers, one file a sink."""
