"""What holds for all tests."""

import torch

# Several test processes share the cores, and threads that wait for one another only burn time.
torch.set_num_threads(1)
