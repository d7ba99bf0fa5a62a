# OpenBao for docker-compose.yml: one node that keeps its data in a volume. Put TLS in front of it, or a
# certificate here, before anything but this machine may reach it.

storage "raft" {
  path    = "/openbao/file"
  node_id = "rekey"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr     = "http://openbao:8200"
cluster_addr = "http://openbao:8201"
