"""llama.cpp and the embedder, each in a child process."""
