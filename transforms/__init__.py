"""What happens to the news: five stages, each of small pure modules and one Beam face (`transform.py`)."""
