// The same passes, plainly: one block a row, the weights read from memory at every token. The truth on
// the card, and the way for networks too wide for `persistent.cuh`.
#include "sequence.cuh"

namespace {

template <int KIND>
__device__ void naive_forward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    SHARED_MEMORY(memory);
    const int n = p.units, state = gating(KIND) == LSTM ? 2 * n : n;
    float *h = memory, *c = h + n, *w_h = c + n, *kept = w_h + G * n, *sums = kept + n;
    const int network = blockIdx.x / p.rows, r = blockIdx.x % p.rows;
    const long long shift = network * p.parameters;
    const float *W = p.recurrent + shift, *b_hh = p.recurrent_bias + shift, *b_ih = p.input_bias + shift;
    const int *token = p.token + (long long)network * p.longest * p.rows + r;
    const int *offset = p.offset + (long long)network * (p.longest + 1);
    const int length = p.length[network * p.rows + r];
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    float *out = p.pooled + ((long long)network * p.rows + p.row[network * p.rows + r]) * pooled_row;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        h[i] = p.initial[network * state + i];
        c[i] = gating(KIND) == LSTM ? p.initial[network * state + n + i] : 0.0f;
        sums[i] = sums[n + i] = 0.0f;
    }
    SYNC_BLOCK();
    for (int t = 0; t < length; t++) {
        const long long slot = (long long)network * p.slots + offset[t] + r;
        const float *a = p.table + ((long long)network * p.distinct + token[t * p.rows]) * G * n;
        if (p.before) {
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                p.before[slot * state + i] = h[i];
                if (gating(KIND) == LSTM) p.before[slot * state + n + i] = c[i];
            }
        }
        for (int i = threadIdx.x; i < (gating(KIND) == GRU_BEFORE ? 2 : G) * n; i += blockDim.x) {
            float sum = 0.0f;
            for (int k = 0; k < n; k++) sum = fmaf(W[(long long)i * n + k], h[k], sum);
            w_h[i] = sum + b_hh[i];
        }
        SYNC_BLOCK();
        if constexpr (gating(KIND) == GRU_BEFORE) {
            for (int j = threadIdx.x; j < n; j += blockDim.x) {
                w_h[j] = logistic(w_h[j] + a[j] + b_ih[j]);
                kept[j] = w_h[j] * h[j];
            }
            SYNC_BLOCK();
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                float sum = 0.0f;
                for (int k = 0; k < n; k++) sum = fmaf(W[(long long)(2 * n + i) * n + k], kept[k], sum);
                w_h[2 * n + i] = sum + b_hh[2 * n + i];
            }
            SYNC_BLOCK();
        }
        for (int j = threadIdx.x; j < n; j += blockDim.x) {
            float keep[SAVED];
            if constexpr (gating(KIND) == GRU_BEFORE) {
                float u = logistic(w_h[n + j] + a[n + j] + b_ih[n + j]);
                float candidate = candidate_of<KIND>(w_h[2 * n + j] + a[2 * n + j] + b_ih[2 * n + j]);
                keep[0] = w_h[j];
                keep[1] = u;
                keep[2] = candidate;
                keep[3] = kept[j];
                h[j] = fmaf(u, h[j] - candidate, candidate);
            } else {
                float w[G], x[G];
                for (int g = 0; g < G; g++) {
                    w[g] = w_h[g * n + j];
                    x[g] = a[g * n + j] + b_ih[g * n + j];
                }
                h[j] = step_forward<KIND>(w, x, h[j], c[j], keep);
            }
            if (p.gates) {
                for (int g = 0; g < SAVED; g++) p.gates[(slot * SAVED + g) * n + j] = keep[g];
            }
            sums[j] += h[j];
            if (gating(KIND) == LSTM) sums[n + j] += c[j];
            const float share = p.pool == MEAN ? 1.0f / length : 1.0f;
            if (p.pool == EVERY || t + 1 == length) {
                float *to = out + (p.pool == EVERY ? (long long)t * state : 0);
                to[j] = p.pool == MEAN ? sums[j] * share : h[j];
                if (gating(KIND) == LSTM) to[n + j] = p.pool == MEAN ? sums[n + j] * share : c[j];
            }
        }
        SYNC_BLOCK();
    }
}

template <int KIND>
__device__ void naive_backward(const Pass &p) {
    constexpr int G = gates_of(KIND), SAVED = saved_of(KIND);
    SHARED_MEMORY(memory);
    const int n = p.units, state = gating(KIND) == LSTM ? 2 * n : n;
    float *d_h = memory, *d_c = d_h + n, *d = d_c + n, *d_kept = d + G * n;
    const int network = blockIdx.x / p.rows, r = blockIdx.x % p.rows;
    const float *W = p.recurrent + network * p.parameters;
    const int *offset = p.offset + (long long)network * (p.longest + 1);
    const int length = p.length[network * p.rows + r];
    const long long pooled_row = p.pool == EVERY ? (long long)p.longest * state : state;
    const float *out = p.gradient + ((long long)network * p.rows + p.row[network * p.rows + r]) * pooled_row;
    for (int i = threadIdx.x; i < n; i += blockDim.x) d_h[i] = d_c[i] = 0.0f;
    for (int t = length - 1; t >= 0; t--) {
        const long long slot = (long long)network * p.slots + offset[t] + r;
        const float *h = p.before + slot * state;
        float *gates = p.gates + slot * SAVED * n;
        const float *enters = out + (p.pool == EVERY ? (long long)t * state : 0);
        const float share = p.pool == MEAN ? 1.0f / length : p.pool == EVERY || t + 1 == length ? 1.0f : 0.0f;
        SYNC_BLOCK();
        for (int j = threadIdx.x; j < n; j += blockDim.x) {
            float saved[SAVED];
            for (int g = 0; g < SAVED; g++) saved[g] = gates[g * n + j];
            float dc = d_c[j] + (gating(KIND) == LSTM ? enters[n + j] * share : 0.0f);
            float c = gating(KIND) == LSTM ? h[n + j] : 0.0f;
            d_h[j] = step_backward<KIND>(saved, h[j], c, d_h[j] + enters[j] * share, dc);
            d_c[j] = dc;
            for (int g = gating(KIND) == GRU_BEFORE ? 1 : 0; g < G; g++) d[g * n + j] = saved[g];
            for (int g = gating(KIND) == GRU_BEFORE ? 1 : 0; g < (gating(KIND) == GRU_BEFORE ? 3 : SAVED); g++) {
                gates[g * n + j] = saved[g];
            }
        }
        SYNC_BLOCK();
        if constexpr (gating(KIND) == GRU_BEFORE) {
            for (int k = threadIdx.x; k < n; k += blockDim.x) {
                float sum = 0.0f;
                for (int j = 0; j < n; j++) sum = fmaf(W[(long long)(2 * n + j) * n + k], d[2 * n + j], sum);
                float reset = gates[k];
                d_h[k] = fmaf(sum, reset, d_h[k]);
                d_kept[k] = sum * h[k] * (reset * (1.0f - reset));
            }
            SYNC_BLOCK();
            for (int k = threadIdx.x; k < n; k += blockDim.x) gates[k] = d[k] = d_kept[k];
            SYNC_BLOCK();
        }
        for (int k = threadIdx.x; k < n; k += blockDim.x) {
            float sum = 0.0f;
            for (int i = 0; i < (gating(KIND) == GRU_BEFORE ? 2 : G) * n; i++) sum = fmaf(W[(long long)i * n + k], d[i], sum);
            d_h[k] += sum;
        }
    }
    SYNC_BLOCK();
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        float *to = p.initial_gradient + ((long long)network * p.rows + r) * state;
        to[i] = d_h[i];
        if (gating(KIND) == LSTM) to[n + i] = d_c[i];
    }
}

}  // namespace

#define NAIVE(name, KIND)                                                                          \
    extern "C" __global__ void naive_forward_##name(Pass p) { naive_forward<KIND>(p); }            \
    extern "C" __global__ void naive_backward_##name(Pass p) { naive_backward<KIND>(p); }
NAIVE(vanilla, VANILLA)
NAIVE(relu, RELU)
NAIVE(linear, LINEAR)
NAIVE(ugrnn, UGRNN)
NAIVE(gru, GRU)
NAIVE(gru_before, GRU_BEFORE)
NAIVE(lstm, LSTM)
NAIVE(ugrnn_relu, UGRNN_RELU)
NAIVE(gru_relu, GRU_RELU)
NAIVE(gru_before_relu, GRU_BEFORE_RELU)
NAIVE(lstm_relu, LSTM_RELU)
