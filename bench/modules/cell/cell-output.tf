output "vpc_id" {
  description = "Its network."
  value       = aws_vpc.this.id
}
