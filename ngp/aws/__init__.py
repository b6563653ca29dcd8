"""AWS access through boto3, which is imported only when used."""
