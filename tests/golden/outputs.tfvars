network = {
  subnet_ids = ["subnet-1", "subnet-2"]
  vpc_id     = "vpc-1"
}

open-vpn = {
  openvpn_connect_url = "https://vpn.dev.example.com/?a='b'&c=$${d}"
  vpc_id              = "vpc-1"
}
