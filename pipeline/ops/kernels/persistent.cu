// The whole-sequence kernels with exact products.
#include "persistent.cuh"

#define CELLS(K, W)                                    \
    KERNELS(vanilla, EXACT, VANILLA, K, W)             \
    KERNELS(relu, EXACT, RELU, K, W)                   \
    KERNELS(linear, EXACT, LINEAR, K, W)               \
    KERNELS(ugrnn, EXACT, UGRNN, K, W)                 \
    KERNELS(gru, EXACT, GRU, K, W)                     \
    KERNELS(gru_before, EXACT, GRU_BEFORE, K, W)       \
    KERNELS(lstm, EXACT, LSTM, K, W)                   \
    KERNELS(ugrnn_relu, EXACT, UGRNN_RELU, K, W)       \
    KERNELS(gru_relu, EXACT, GRU_RELU, K, W)           \
    KERNELS(gru_before_relu, EXACT, GRU_BEFORE_RELU, K, W) \
    KERNELS(lstm_relu, EXACT, LSTM_RELU, K, W)
CELLS(4, 32)
CELLS(8, 32)
CELLS(16, 32)
CELLS(16, 16)
CELLS(16, 8)
