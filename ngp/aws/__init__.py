"""The one door to boto3; imported only when used."""
