// Products on the tensor cores, where the operands may be rounded: weights, states and gradients to TF32
// (10 bits after the point) or bfloat16 (7 bits), their products exact and summed in f32.
//
// The threads of a block hold the same weights as in the exact product, dealt to its 16 warps: a warp
// owns 16 units, of every gate, and 2K numbers of the state, and multiplies them with 8 rows at once. Which
// number stands where in a product is free as long as both operands agree: a lane takes the ones
// that lie side by side, so that it reads them 16 bytes at a time.
#pragma once
#include "sequence.cuh"

enum Precision { EXACT, TF32, BF16 };

// Rows whose products come at once, numbers after a row in shared memory: with them the eight rows that a
// warp reads begin in different banks.
__host__ __device__ constexpr int rows_of(int precision) { return precision == EXACT ? TILE : 8; }
__host__ __device__ constexpr int spare_of(int precision) { return precision == EXACT ? 0 : 4; }
// Instructions that take in the 2K numbers of a warp.
__host__ __device__ constexpr int steps_of(int precision, int k) { return precision == TF32 ? k / 4 : k / 8; }

#ifndef ACCRUE_EMULATED
__device__ inline unsigned bits_of(float x) { return __float_as_uint(x); }
// To the nearest number of 10 bits.
__device__ inline float to_tf32(float x) {
    unsigned y;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
    return __uint_as_float(y);
}
__device__ inline float to_bf16(float x) {
    unsigned short y;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y) : "f"(x));
    return __uint_as_float((unsigned)y << 16);
}
// The upper halves of both, `low`'s below.
__device__ inline unsigned pair_of(float low, float high) {
    return __byte_perm(__float_as_uint(low), __float_as_uint(high), 0x7632);
}
// sum[16, 8] += a[16, ·] b[·, 8], a warp together. Which lane holds what: PTX, mma.m16n8k8 and m16n8k16.
template <int PRECISION, int STEPS>
__device__ inline void multiply(float (&sum)[4], const unsigned (&a)[STEPS][4], const unsigned (&b)[STEPS][2]) {
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        if constexpr (PRECISION == TF32) {
            asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                : "r"(a[s][0]), "r"(a[s][1]), "r"(a[s][2]), "r"(a[s][3]), "r"(b[s][0]), "r"(b[s][1]));
        } else {
            asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                : "r"(a[s][0]), "r"(a[s][1]), "r"(a[s][2]), "r"(a[s][3]), "r"(b[s][0]), "r"(b[s][1]));
        }
    }
}
#endif

template <int PRECISION>
__device__ inline float rounded(float x) {
    return PRECISION == TF32 ? to_tf32(x) : PRECISION == BF16 ? to_bf16(x) : x;
}

// What a warp's place in a block says: its half of 32 units, its part of the state's numbers; the lane's row of
// a fragment, and its numbers.
template <int K, int W>
struct Warp {
    static constexpr int HALVES = W / 16, PARTS = 16 / HALVES, OWN = K / 2;
    int half, part, row, column;
    __device__ Warp() {
        const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
        half = warp % HALVES, part = warp / HALVES;
        row = lane / 4, column = lane % 4;
    }
    // First unit of the lane in the block (its second is 8 on), first number of the lane.
    __device__ int unit() const { return half * 16 + row; }
    __device__ int number() const { return part * 2 * K + column * OWN; }
};

// The lane's weights, from `weight(gate, unit of the block, number)`.
template <int PRECISION, int G, int K, int W, class Weight>
__device__ inline void hold(unsigned (&w)[G][steps_of(PRECISION, K)][4], const Weight &weight) {
    const Warp<K, W> at;
    constexpr int EACH = PRECISION == TF32 ? 2 : 4;
#pragma unroll
    for (int g = 0; g < G; g++)
#pragma unroll
        for (int s = 0; s < steps_of(PRECISION, K); s++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int unit = at.unit() + i % 2 * 8, k = at.number() + s * EACH + i / 2 * (EACH / 2);
                const float low = rounded<PRECISION>(weight(g, unit, k));
                if constexpr (PRECISION == TF32) {
                    w[g][s][i] = bits_of(low);
                } else {
                    w[g][s][i] = pair_of(low, rounded<PRECISION>(weight(g, unit, k + 1)));
                }
            }
}

// The lane's numbers of its row, which begin at `from` and were rounded when they were written.
template <int PRECISION, int K>
__device__ inline void take(unsigned (&b)[steps_of(PRECISION, K)][2], const float *from) {
#pragma unroll
    for (int i = 0; i < K / 2; i += 4) {
        const float4 v = *(const float4 *)(from + i);
        if constexpr (PRECISION == TF32) {
            b[i / 2][0] = bits_of(v.x), b[i / 2][1] = bits_of(v.y);
            b[i / 2 + 1][0] = bits_of(v.z), b[i / 2 + 1][1] = bits_of(v.w);
        } else {
            b[i / 4][0] = pair_of(v.x, v.y), b[i / 4][1] = pair_of(v.z, v.w);
        }
    }
}

// A fragment's sums to `partial` [parts, 8, pitch], at `unit` of the columns and 8 on.
template <int K, int W>
__device__ inline void put(const float (&sum)[4], float *partial, int pitch, int unit) {
    const Warp<K, W> at;
    float *to = partial + (at.part * 8 + 2 * at.column) * pitch + unit;
    to[0] = sum[0];
    to[pitch] = sum[1];
    to[8] = sum[2];
    to[pitch + 8] = sum[3];
}
