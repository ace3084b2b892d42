// What the kernels of a sequence share: the sizes and arrays of a pass, the cells' equations for one
// unit, and how the blocks of a group meet.
//
// This file compiles twice: for the card, and as C++ where tests/emulated runs every CUDA thread as a
// thread of the processor (ACCRUE_EMULATED).
#pragma once
#ifndef ACCRUE_EMULATED
#define SYNC_BLOCK() __syncthreads()
#define SHARED_MEMORY(name) extern __shared__ __align__(16) float name[]
#endif

// CellKind in the order of cells/cell.rs; the last four have a rectified candidate.
enum Kind { VANILLA, RELU, LINEAR, UGRNN, GRU, GRU_BEFORE, LSTM, UGRNN_RELU, GRU_RELU, GRU_BEFORE_RELU, LSTM_RELU };
// Pool in the order of ops/sequence.rs.
enum Pooling { LAST, MEAN, EVERY };

// The cell of the same gates whose candidate goes through tanh.
__host__ __device__ constexpr int gating(int kind) { return kind > LSTM ? kind - UGRNN_RELU + UGRNN : kind; }
__host__ __device__ constexpr int gates_of(int kind) {
    return kind <= LINEAR ? 1 : gating(kind) == UGRNN ? 2 : gating(kind) == LSTM ? 4 : 3;
}
__host__ __device__ constexpr int saved_of(int kind) {
    return kind <= LINEAR ? 1 : gating(kind) == UGRNN ? 2 : 4;
}

// Threads of a block, rows whose products a thread holds at once.
constexpr int THREADS = 512;
constexpr int TILE = 4;

// One pass over batches of `rows` sequences, one batch a network, from network `first_network` on. Rows
// are sorted, longest first; slot `offset[t] + r` is token t of row r.
struct Pass {
    int first_network, rows, units, slots, distinct, longest;
    int pool;
    // Rows and blocks of a group, units of a block; numbers of a padded state row in shared memory.
    int group_rows, blocks, width, padded;
    // First row of this launch, and groups a network in it.
    int first_row, groups;
    // Whether the blocks of a group are a cluster (shared memory within reach), or meet in global memory.
    int clustered;
    long long parameters;       // numbers between two networks' parameters
    const float *recurrent;     // W [G·n, n]
    const float *input_bias;    // b_ih [G·n]
    const float *recurrent_bias;// b_hh [G·n]
    const float *table;         // A x, [distinct, G·n]
    const float *initial;       // [state]
    const int *token;           // [longest, rows]: index among the distinct tokens; -1 after a row's end
    const int *offset;          // [longest + 1]
    const int *length;          // [rows], sorted
    const int *row;             // [rows]: where each came from
    float *before;              // [slots, state], or null
    float *gates;               // [slots, saved·n], or null
    float *pooled;              // [rows, state], or [rows, longest, state]
    const float *gradient;      // of pooled
    float *initial_gradient;    // [groups of all launches, state]
    float *exchange;            // [groups, 2, group_rows, G·padded + spare], where blocks meet in global memory
    unsigned *arrivals;         // [groups], zero
};

// The logistic function and tanh, by the card's exp2 and reciprocal and without branches: one unit waits
// for the other at every token, so their latency counts. Absolute errors below 3e-7 (tests/cuda.rs).
#ifndef ACCRUE_EMULATED
__device__ inline float exp2_of(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
__device__ inline float one_over(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
#endif
__device__ inline float logistic(float x) { return one_over(1.0f + exp2_of(-1.4426950408889634f * x)); }
__device__ inline float tangent(float x) {
    // 1 - 2/(e^2x + 1) loses what is near 0: the series there.
    float far = fmaf(-2.0f, one_over(exp2_of(2.8853900817779268f * x) + 1.0f), 1.0f);
    float y = x * x;
    float near = fmaf(y, fmaf(y, fmaf(y, fmaf(y, 0.0218694885f, -0.0539682540f), 0.1333333333f), -0.3333333333f), 0.0f);
    return fabsf(x) < 0.25f ? fmaf(x, near, x) : far;
}

// NaN stays NaN.
__device__ inline float rectified(float x) { return x > 0.0f || x != x ? x : 0.0f; }

// A gated cell's candidate, and its slope from the value.
template <int KIND>
__device__ inline float candidate_of(float x) {
    if constexpr (KIND > LSTM) return rectified(x);
    return tangent(x);
}
template <int KIND>
__device__ inline float candidate_slope(float value) {
    if constexpr (KIND > LSTM) return value > 0.0f ? 1.0f : 0.0f;
    return 1.0f - value * value;
}

// Forward, one unit: `w` holds W h + b_hh and `a` A x + b_ih for each gate; returns h', updates the
// LSTM's `c`, and leaves in `keep` what the way back needs (the table of ops/equations.rs).
template <int KIND>
__device__ inline float step_forward(const float *w, const float *a, float h, float &c, float *keep) {
    if constexpr (KIND == VANILLA) return keep[0] = tangent(w[0] + a[0]);
    if constexpr (KIND == RELU) return keep[0] = rectified(w[0] + a[0]);
    if constexpr (KIND == LINEAR) return keep[0] = w[0] + a[0];
    if constexpr (gating(KIND) == UGRNN) {
        float u = keep[0] = logistic(w[0] + a[0]);
        float candidate = keep[1] = candidate_of<KIND>(w[1] + a[1]);
        return fmaf(u, h - candidate, candidate);
    }
    if constexpr (gating(KIND) == GRU) {
        float r = keep[0] = logistic(w[0] + a[0]);
        float u = keep[1] = logistic(w[1] + a[1]);
        keep[3] = w[2];
        float candidate = keep[2] = candidate_of<KIND>(fmaf(r, w[2], a[2]));
        return fmaf(u, h - candidate, candidate);
    }
    if constexpr (gating(KIND) == LSTM) {
        float i = keep[0] = logistic(w[0] + a[0]);
        float f = keep[1] = logistic(w[1] + a[1]);
        float g = keep[2] = candidate_of<KIND>(w[2] + a[2]);
        float o = keep[3] = logistic(w[3] + a[3]);
        c = fmaf(f, c, i * g);
        return o * tangent(c);
    }
    return 0.0f;
}

// Backward, one unit: `dh` is the gradient of h', `dc` that of the LSTM's c'; `saved` becomes the
// gradients of the pre-activations. Returns the part of the gradient of h that does not pass through
// W, and leaves the LSTM's part for c in `dc`. The GRU that resets before: gates u and c alone.
template <int KIND>
__device__ inline float step_backward(float *saved, float h, float c_before, float dh, float &dc) {
    if constexpr (KIND == VANILLA) {
        saved[0] = dh * (1.0f - saved[0] * saved[0]);
        return 0.0f;
    }
    if constexpr (KIND == RELU) {
        saved[0] = saved[0] > 0.0f ? dh : 0.0f;
        return 0.0f;
    }
    if constexpr (KIND == LINEAR) {
        saved[0] = dh;
        return 0.0f;
    }
    if constexpr (gating(KIND) == UGRNN || gating(KIND) == GRU || gating(KIND) == GRU_BEFORE) {
        constexpr int FIRST = gating(KIND) == UGRNN ? 0 : 1;
        float u = saved[FIRST], candidate = saved[FIRST + 1];
        float du = dh * (h - candidate) * (u * (1.0f - u));
        float d_candidate = dh * (1.0f - u) * candidate_slope<KIND>(candidate);
        saved[FIRST] = du;
        saved[FIRST + 1] = d_candidate;
        if constexpr (gating(KIND) == GRU) {
            float r = saved[0], w = saved[3];
            saved[0] = d_candidate * w * (r * (1.0f - r));
            saved[2] = d_candidate * r;
            saved[3] = d_candidate;
        }
        return dh * u;
    }
    if constexpr (gating(KIND) == LSTM) {
        float i = saved[0], f = saved[1], g = saved[2], o = saved[3];
        float t = tangent(fmaf(f, c_before, i * g));
        float d = fmaf(dh * o, 1.0f - t * t, dc);
        saved[0] = d * g * (i * (1.0f - i));
        saved[1] = d * c_before * (f * (1.0f - f));
        saved[2] = d * i * candidate_slope<KIND>(g);
        saved[3] = dh * t * (o * (1.0f - o));
        dc = d * f;
        return 0.0f;
    }
    return 0.0f;
}

#ifndef ACCRUE_EMULATED
#if __CUDA_ARCH__ >= 900
// The address in shared memory of block `rank` of the cluster that `address` has in this one.
__device__ inline float *of_block(float *address, int rank) {
    float *there;
    asm volatile("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(address), "r"(rank));
    return there;
}
// A meeting of a cluster in two halves: what is written between them need not have arrived for the others.
__device__ inline void arrive_cluster() {
    __syncwarp();
    asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ inline void wait_cluster() {
    __syncwarp();
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
#else
// Older cards have no clusters; ops/cuda/plan.rs forms none there.
__device__ inline float *of_block(float *address, int) { return address; }
__device__ inline void arrive_cluster() { __trap(); }
__device__ inline void wait_cluster() { __trap(); }
#endif
__device__ inline float4 fresh(const float *address) { return __ldcg((const float4 *)address); }
__device__ inline void arrive_global(unsigned *arrivals) {
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        atomicAdd(arrivals, 1u);
    }
}
__device__ inline void wait_global(unsigned *arrivals, unsigned expected) {
    if (threadIdx.x == 0) {
        unsigned seen;
        do {
            asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(arrivals) : "memory");
        } while (seen < expected);
    }
    __syncthreads();
}
#endif
