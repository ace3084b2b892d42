// The whole-sequence kernels on the tensor cores. A block of 8 units would leave half of a fragment empty:
// cells that need one (more than 512 units) keep the exact products.
#include "persistent.cuh"

#define CELL(name, KIND, K, W)                         \
    KERNELS(tf32_##name, TF32, KIND, K, W)             \
    KERNELS(bf16_##name, BF16, KIND, K, W)
#define CELLS(K, W)                                    \
    CELL(vanilla, VANILLA, K, W)                       \
    CELL(relu, RELU, K, W)                             \
    CELL(linear, LINEAR, K, W)                         \
    CELL(ugrnn, UGRNN, K, W)                           \
    CELL(gru, GRU, K, W)                               \
    CELL(gru_before, GRU_BEFORE, K, W)                 \
    CELL(lstm, LSTM, K, W)                             \
    CELL(ugrnn_relu, UGRNN_RELU, K, W)                 \
    CELL(gru_relu, GRU_RELU, K, W)                     \
    CELL(gru_before_relu, GRU_BEFORE_RELU, K, W)       \
    CELL(lstm_relu, LSTM_RELU, K, W)
CELLS(8, 32)
CELLS(16, 32)
CELLS(16, 16)
