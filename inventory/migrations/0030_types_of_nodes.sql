-- What a node is, without reading the node: questions to the map ask that of thousands on their way.
create index graph_nodes_types on graph_nodes (id, type);
