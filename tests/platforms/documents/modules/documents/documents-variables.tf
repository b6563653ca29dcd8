variable "words" {
  description = "What the names begin with"
  type        = string
}
