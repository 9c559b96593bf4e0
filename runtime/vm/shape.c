/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/shape.h"
