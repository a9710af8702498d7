"""Where commands of agents run: without network, without the person's home, without rights."""
