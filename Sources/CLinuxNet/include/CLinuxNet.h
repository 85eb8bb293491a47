#ifndef CLINUXNET_H
#define CLINUXNET_H
#endif
