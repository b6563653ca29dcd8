variable "vpc_id" {
  description = "Where it stands"
  type        = string
}

variable "command" {
  description = "What its making runs"
  type        = string
  default     = "true"
}
