"""What operators see of trucewatch: metrics of runs, and a health check for probes."""
