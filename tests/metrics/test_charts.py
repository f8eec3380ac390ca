"""The picture of the measures shows every number that is known."""

from celeba_vae.metrics.charts import measures_chart


def test_chart_shows_each_number_and_marks_the_best():
    metrics = {
        "ae": {"psnr": 23.456, "mse": 0.00512, "bce": 4850.2, "ssim": 0.71, "explained_variance": 0.912},
        "vae": {"psnr": 19.04, "mse": 0.0131, "bce": 5015.4, "ssim": 0.55, "explained_variance": None, "kl": 31.25},
    }

    figure = measures_chart(metrics)

    texts = {axes.get_title(loc="left").strip(): {text.get_text() for text in axes.texts} for axes in figure.axes}
    assert {"AE  23.46", "VAE  19.04"} <= texts["PSNR in dB"]
    assert {"AE  91.2%", "VAE  not defined"} <= texts["Explained variance"]
    assert {"AE  0.00512", "VAE  0.01310"} <= texts["Mean squared error"]
    assert {"AE  not defined", "VAE  31.2"} <= texts["KL in nats"]
    colours = {
        axes.get_title(loc="left").strip(): [bar.get_facecolor() for bar in axes.patches] for axes in figure.axes
    }
    assert colours["PSNR in dB"][0] != colours["PSNR in dB"][1]
    assert colours["PSNR in dB"][0] == colours["Mean squared error"][0] == colours["Binary cross-entropy"][0]
