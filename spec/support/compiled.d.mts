export const outside: { readonly NODE_EXTRA_CA_CERTS: string | undefined };
