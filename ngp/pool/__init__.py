"""What is kept warm between commands: configured providers, and the way to AWS with boto3 loaded and clients made."""
