// The HTTP face of the shop.
//
//   GET    /health                            "ok"
//   POST   /sessions                          {"session": ID}
//   GET    /categories/NAME?page=N            HTML
//   GET    /products/SKU/price?quantity=&country=   the quote
//   GET    /sessions/ID/cart                  the lines and totals
//   POST   /sessions/ID/cart                  {"sku":, "quantity":}
//   DELETE /sessions/ID/cart/SKU
//   POST   /sessions/ID/coupon                {"code":}; 422 when the coupon is refused
//   POST   /sessions/ID/checkout              {"receipt": N, "total": "12.34"}
//   GET    /receipts/N                        text
//   GET    /admin/stats                       counts, and the truth about the leak
//   POST   /admin/defect?coupon_leak=on|off|kept|lost|bounded
//
// Errors are {"error": "..."} with 400 (what was sent makes no sense), 404 (no such thing, or an
// expired session), 409 (the cart is empty or full), 422 (refused coupon), 503 (no room for more
// sessions).
#ifndef CHECKOUT_SERVICE_ROUTES_H
#define CHECKOUT_SERVICE_ROUTES_H

namespace httplib {
class Server;
}

namespace checkout {

struct Shop;

// `shop` must outlive the server.
void AddShopRoutes(httplib::Server& server, Shop& shop);
void AddAdminRoutes(httplib::Server& server, Shop& shop);

}  // namespace checkout

#endif  // CHECKOUT_SERVICE_ROUTES_H
